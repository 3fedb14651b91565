"""The addresses of the whole site."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from redundancy.forms.signin import SignInForm
from redundancy.views.home import admin_login

handler400 = "redundancy.views.errors.bad_request"
handler403 = "redundancy.views.errors.forbidden"
handler404 = "redundancy.views.errors.not_found"
handler500 = "redundancy.views.errors.server_error"

urlpatterns = [
    path(
        "login/",
        LoginView.as_view(authentication_form=SignInForm, redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("", include("redundancy.urls")),
    path("", include("topology.urls")),
]
