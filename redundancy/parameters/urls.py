"""The addresses of the parameters."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from redundancy.parameters.views import lists, pair
from redundancy.parameters.views.enterprise import enterprise_parameters
from redundancy.parameters.views.parameters import service_parameters


class AdministrationConverter(StringConverter):
    """The application in whose chrome a page that two of them have is shown."""

    regex = "ccmadmin|cupadmin"


register_converter(AdministrationConverter, "administration")

SERVICE = "<administration:application>/service-parameters"
GROUP = "ccmadmin/presence-redundancy-groups/<int:pk>"

urlpatterns = [
    path("ccmadmin/enterprise-parameters/", enterprise_parameters, name="enterprise_parameters"),
    path(f"{GROUP}/must-match/", pair.must_match, name="must_match"),
    path(f"{GROUP}/must-match/align/", pair.align_pair, name="align"),
    path(f"{GROUP}/login-profile/", pair.login_profile, name="login_profile"),
    path(f"{SERVICE}/", service_parameters, name="service_parameters"),
    path(f"{SERVICE}/help/", lists.parameter_help, name="service_parameter_help"),
    path(f"{SERVICE}/all-servers/", lists.parameters_all, name="parameters_all"),
    path(f"{SERVICE}/modified/", lists.parameters_modified, name="parameters_modified"),
]
