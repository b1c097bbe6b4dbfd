// The talk with fercomp: each message has one answer, in the same order.

export class Talk {
  constructor(address, greeted, ended) {
    this.asked = [];
    this.socket = new WebSocket(address);
    this.socket.onmessage = event => {
      const answer = JSON.parse(event.data);
      if (answer.kind === "hello") greeted(answer);
      else this.asked.shift()(answer);
    };
    this.socket.onclose = ended;
  }

  get isOpen() { return this.socket.readyState === WebSocket.OPEN; }

  // What is asked of a talk that has ended is never answered; `ended` was told.
  ask(message) {
    return new Promise(answered => {
      if (!this.isOpen) return;
      this.asked.push(answered);
      this.socket.send(message instanceof Blob ? message : JSON.stringify(message));
    });
  }
}
