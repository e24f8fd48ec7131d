from django.db import models


class Photo(models.Model):
    title = models.CharField(max_length=80)
    image = models.ImageField(upload_to='photos/%Y')
    original = models.FileField(upload_to='originals/%Y', blank=True)
    added = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ['-added']

    def __str__(self):
        return self.title
