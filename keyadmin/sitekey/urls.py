from django.urls import path

from keyadmin.sitekey import views

urlpatterns = [
    path("site-key/", views.site_key, name="site_key"),
    path("site-key/replace/", views.replace_site_key, name="site_key_replace"),
    path("site-key/saved/", views.site_key_saved, name="site_key_saved"),
    path("site-key/end-overlap/", views.end_overlap, name="site_key_end_overlap"),
    path("site-key/demand/", views.demand, name="site_key_demand"),
    path("site-key/stop-demanding/", views.stop_demanding, name="site_key_stop_demanding"),
    path("site-key/revoke/", views.revoke_site_key, name="site_key_revoke"),
]
