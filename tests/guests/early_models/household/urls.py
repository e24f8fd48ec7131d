from django.contrib import admin
from django.urls import path

from shopping import views

urlpatterns = [
    path('', views.home, name='home'),
    path('lists/<int:list_id>/', views.shopping_list, name='list'),
    path('admin/', admin.site.urls),
]
