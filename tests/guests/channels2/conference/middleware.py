from channels.auth import AuthMiddlewareStack


class LanguageMiddleware:
    """
    Puts the language that the page chose into the scope.
    """

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, scope):
        scope['language'] = scope['cookies'].get('language', 'en')
        return self.inner(scope)


def LanguageMiddlewareStack(inner):
    return AuthMiddlewareStack(LanguageMiddleware(inner))
