from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0004_retention'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='reminded_at',
            field=models.DateTimeField(help_text='When the last reminders of it were written.', null=True),
        ),
    ]
