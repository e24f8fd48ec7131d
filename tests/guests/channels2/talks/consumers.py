from asgiref.sync import async_to_sync
from channels.generic.websocket import JsonWebsocketConsumer

from .models import Question, Talk


class QuestionConsumer(JsonWebsocketConsumer):
    def connect(self):
        self.language = self.scope['language']
        self.slug = self.scope['url_route']['kwargs']['slug']
        self.group_name = 'talk_%s' % self.slug

        async_to_sync(self.channel_layer.group_add)(
            self.group_name,
            self.channel_name
        )
        self.accept()

    def disconnect(self, close_code):
        async_to_sync(self.channel_layer.group_discard)(
            self.group_name,
            self.channel_name
        )

    def receive_json(self, content):
        question = Question.objects.create(
            talk=Talk.objects.get(slug=self.slug),
            text=content['question']
        )
        async_to_sync(self.channel_layer.group_send)(
            self.group_name,
            {
                'type': 'question_asked',
                'question': question.text
            }
        )

    def question_asked(self, event):
        self.send_json({'question': event['question'], 'language': self.language})
