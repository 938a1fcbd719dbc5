import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0003_licensed_sender'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='saved_at',
            field=models.DateTimeField(auto_now=True, default=django.utils.timezone.now, help_text='When the draft was last written.'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='attachmentfetch',
            name='attachment',
            field=models.ForeignKey(help_text='Null: purged since.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='fetches', to='messaging.attachment'),
        ),
    ]
