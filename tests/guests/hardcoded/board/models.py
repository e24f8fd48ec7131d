from django.db import models


class Entry(models.Model):
    author = models.CharField(max_length=40)
    text = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = 'entries'

    def __str__(self):
        return self.text
