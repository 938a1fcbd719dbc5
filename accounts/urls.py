from django.urls import path

from .views.log_in import log_in
from .views.log_out import log_out
from .views.set_password import set_password

urlpatterns = [
    path("p/<slug:organization>/", log_in, name="log_in"),
    # The same page whatever the id: what it opens is looked up after logging in.
    path("p/<slug:organization>/m/<uuid:entry>/", log_in, name="log_in_to_message"),
    path("p/<slug:organization>/password/", set_password, name="set_password"),
    path("log-out/", log_out, name="log_out"),
]
