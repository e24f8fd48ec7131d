from django.contrib import admin
from django.urls import path

from board import views

urlpatterns = [
    path('', views.index),
    path('sign/', views.sign),
    path('admin/', admin.site.urls),
]
