(function () {
    var scheme = window.location.protocol === 'https:' ? 'wss://' : 'ws://';
    var socket = new WebSocket(scheme + window.location.host + '/ws/notices/');
    var list = document.getElementById('notices');

    socket.onopen = function () {
        document.body.classList.add('connected');
    };

    socket.onmessage = function (event) {
        var data = JSON.parse(event.data);
        if ('notice' in data) {
            var item = document.createElement('li');
            item.textContent = data.notice;
            list.prepend(item);
        }
        if ('count' in data) {
            document.getElementById('digest').textContent = data.count;
        }
    };

    document.getElementById('count').onclick = function () {
        socket.send(JSON.stringify({command: 'count'}));
    };
})();
