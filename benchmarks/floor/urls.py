from django.urls import path

from . import views

urlpatterns = [
    path("page/", views.page),
    path("file/", views.file),
    path("opened/", views.opened),
    path("many/", views.many),
]
