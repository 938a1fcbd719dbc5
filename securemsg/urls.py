from django.contrib import admin
from django.urls import include, path

# In the order in which they are asked for: Django tries one after the other.
urlpatterns = [
    path("", include("messaging.urls")),
    path("", include("portal.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"
