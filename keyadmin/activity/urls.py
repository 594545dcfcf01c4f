from django.urls import path

from keyadmin.activity import views

# Under the address of an organisation. The wiring gives all of these `links`, the pages of targets (tables.Links).
urlpatterns = [
    path("activity/", views.activity, name="activity"),
    path("activity/<int:sequence>/", views.entry, name="activity_entry"),
]
instance_urlpatterns = [
    path("activity/", views.instance_activity, name="instance_activity"),
    path("activity/<int:sequence>/", views.instance_entry, name="instance_activity_entry"),
]
