from django.urls import path

from keyadmin.system import views

urlpatterns = [
    path("", views.index, name="docs"),
    path("errors/", views.errors_index, name="docs_errors"),
    path("errors/<str:code>", views.error_page, name="docs_error"),
    path("<slug:page>", views.page, name="docs_page"),
]
