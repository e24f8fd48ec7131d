from django.db import models


class ShoppingList(models.Model):
    name = models.CharField(max_length=60, unique=True)

    def __str__(self):
        return self.name


class Item(models.Model):
    shopping_list = models.ForeignKey(ShoppingList, on_delete=models.CASCADE, related_name='items')
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ['pk']

    def __str__(self):
        return self.name
