from django.db import models


class Talk(models.Model):
    title = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)

    def __str__(self):
        return self.title


class Question(models.Model):
    talk = models.ForeignKey(Talk, on_delete=models.CASCADE, related_name='questions')
    text = models.CharField(max_length=500)
    asked = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ['asked']

    def __str__(self):
        return self.text
