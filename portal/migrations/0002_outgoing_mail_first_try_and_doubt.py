from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="outgoingmail",
            name="first_tried_at",
            field=models.DateTimeField(blank=True, help_text="Tries end 48 hours after it.", null=True),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="ambiguous_at",
            field=models.DateTimeField(
                blank=True,
                help_text="It may have left then: the server's answer to the final dot, or the worker, was lost.",
                null=True,
            ),
        ),
    ]
