"""The addresses of the parameters."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from redundancy.parameters.views import enterprise, lists, pair, parameters


class AdministrationConverter(StringConverter):
    """The application in whose chrome a page that two of them have is shown."""

    regex = "ccmadmin|cupadmin"


register_converter(AdministrationConverter, "administration")

urlpatterns = [
    path(
        "ccmadmin/enterprise-parameters/",
        enterprise.enterprise_parameters,
        name="enterprise_parameters",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/must-match/",
        pair.must_match,
        name="must_match",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/must-match/align/",
        pair.align_pair,
        name="align",
    ),
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/login-profile/",
        pair.login_profile,
        name="login_profile",
    ),
    path(
        "<administration:application>/service-parameters/",
        parameters.service_parameters,
        name="service_parameters",
    ),
    path(
        "<administration:application>/service-parameters/help/",
        lists.parameter_help,
        name="service_parameter_help",
    ),
    path(
        "<administration:application>/service-parameters/all-servers/",
        lists.parameters_all,
        name="parameters_all",
    ),
    path(
        "<administration:application>/service-parameters/modified/",
        lists.parameters_modified,
        name="parameters_modified",
    ),
]
