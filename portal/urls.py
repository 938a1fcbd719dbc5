from django.urls import path

from portal import brand_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("brand/<str:palette>.css", brand_views.colours, name="colours"),
    path("brand/<uuid:organization>/<str:name>", brand_views.brand_image, name="brand_image"),
]
