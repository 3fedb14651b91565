"""The addresses of imports and exports of users."""

from django.urls import path

from redundancy.imports import views

urlpatterns = [
    path("ccmadmin/bulk/import-users/", views.user_import, name="user_import"),
    path("ccmadmin/bulk/export-users/", views.user_export, name="user_export"),
    path("ccmadmin/bulk/export-users/users.csv", views.user_export_file, name="user_export_file"),
    path("ccmadmin/bulk/jobs/", views.import_jobs, name="import_jobs"),
    path("ccmadmin/bulk/jobs/<int:pk>/", views.import_job, name="import_job"),
    path("ccmadmin/bulk/jobs/<int:pk>/errors.csv", views.import_problems, name="import_problems"),
    path("ccmadmin/bulk/jobs/<int:pk>/<slug:act>/", views.import_act, name="import_act"),
]
