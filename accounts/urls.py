from django.urls import path

from .views.account import account, end_session
from .views.change_password import change_password, confirm
from .views.help_page import help_page
from .views.kept_text import kept_text
from .views.log_in import log_in
from .views.log_out import log_out
from .views.password_advice import password_advice
from .views.reset_password import reset_link, reset_password, reset_sent
from .views.second_factor import second_factor
from .views.second_factors import add_app, add_passkey, recovery_codes, remove_second_factor, second_factors
from .views.send_link import link_sent, send_link
from .views.session import session, stay
from .views.set_password import set_password

urlpatterns = [
    path("p/<slug:organization>/", log_in, name="log_in"),
    # The same page whatever the id: what it opens is looked up after logging in.
    path("p/<slug:organization>/m/<uuid:entry>/", log_in, name="log_in_to_message"),
    path("p/<slug:organization>/password/", set_password, name="set_password"),
    path("p/<slug:organization>/password/advice/", password_advice, name="password_advice"),
    path("p/<slug:organization>/reset/", reset_password, name="reset_password"),
    path("p/<slug:organization>/reset/sent/", reset_sent, name="reset_sent"),
    path("p/<slug:organization>/reset/<str:token>/", reset_link, name="reset_link"),
    path("p/<slug:organization>/help/", help_page, name="help_page"),
    path("send-link/", send_link, name="send_link"),
    path("send-link/sent/", link_sent, name="link_sent"),
    path("account/", account, name="account"),
    path("account/password/", change_password, name="change_password"),
    path("account/confirm/", confirm, name="confirm"),
    path("account/second-factor/", second_factors, name="second_factors"),
    path("account/second-factor/app/", add_app, name="add_app"),
    path("account/second-factor/passkey/", add_passkey, name="add_passkey"),
    path("account/second-factor/recovery-codes/", recovery_codes, name="recovery_codes"),
    path("account/second-factor/remove/", remove_second_factor, name="remove_second_factor"),
    path("p/<slug:organization>/code/", second_factor, name="second_factor"),
    path("account/sessions/end/", end_session, name="end_session"),
    path("session/", session, name="session"),
    path("session/stay/", stay, name="stay"),
    path("kept/<uuid:kept>/", kept_text, name="kept_text"),
    path("log-out/", log_out, name="log_out"),
]
