from django.contrib import admin

from .models import Question, Talk

admin.site.register(Talk)
admin.site.register(Question)
