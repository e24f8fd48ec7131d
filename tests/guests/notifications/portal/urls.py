from django.contrib import admin
from django.urls import include, path

from notices import views

urlpatterns = [
    path('', views.home, name='home'),
    path('send/', views.send, name='send'),
    path('accounts/signup/', views.SignUp.as_view(), name='signup'),
    path('accounts/', include('django.contrib.auth.urls')),
    path('admin/', admin.site.urls),
]
