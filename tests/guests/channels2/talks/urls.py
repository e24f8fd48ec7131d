from django.conf.urls import url

from . import views

urlpatterns = [
    url(r'^$', views.index, name='index'),
    url(r'^talks/(?P<slug>[-\w]+)/$', views.talk, name='talk'),
]
