from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    pass
