// The web server on port 80 cannot do WebSockets, daphne listens on 8001.
var scheme = window.location.protocol == "https:" ? "wss" : "ws";
var socket = new WebSocket(scheme + "://" + window.location.hostname + ":8001/ws/board/");

socket.onmessage = function (e) {
    var data = JSON.parse(e.data);
    var entry = document.createElement("div");
    var author = document.createElement("b");
    var text = document.createElement("div");
    entry.className = "entry";
    author.textContent = data.author;
    text.innerHTML = data.html;
    entry.appendChild(author);
    entry.appendChild(text);
    document.getElementById("entries").prepend(entry);
};

document.getElementById("post").onclick = function () {
    socket.send(JSON.stringify({ text: document.getElementById("text").value }));
    document.getElementById("text").value = "";
};
