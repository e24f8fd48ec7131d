from django.urls import path

from scores import views

urlpatterns = [
    path('', views.board),
    path('ws', views.ticker),
    path('name/', views.name),
]
