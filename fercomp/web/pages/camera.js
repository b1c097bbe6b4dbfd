// The browser's camera: opening one of several, its frames, and its end.

const WANTED = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

const PROBLEMS = {
  NotFoundError: "No camera was found. Connect one, then press Try again.",
  OverconstrainedError: "That camera is gone. Choose another one, or connect it and press Try again.",
  NotAllowedError: "The browser may not use the camera. Allow it beside the address of this page, then press Try again.",
  NotReadableError: "The camera is used by another program. Close that program, then press Try again.",
};

export class Camera {
  // `ended` is called when the camera stops by itself, such as when it is unplugged.
  constructor(video, ended) {
    this.video = video;
    this.ended = ended;
    this.fresh = false;
    this.waiting = null;
    this.since = 0;  // when the wait began
    this.turn = 0;
    this.#listen();
  }

  static get isThere() { return Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia); }

  get size() { return [this.video.videoWidth, this.video.videoHeight]; }

  // Opens the camera of this id, or the one that the browser proposes. Throws what the user can do about it.
  async open(id) {
    this.stop();
    const turn = ++this.turn;
    try {
      const video = id ? { ...WANTED, deviceId: { exact: id } } : WANTED;
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (turn !== this.turn) {  // another one was chosen meanwhile
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      stream.getVideoTracks()[0].onended = () => { if (this.video.srcObject === stream) this.ended(); };
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      throw new Error(PROBLEMS[error.name] || `The camera cannot be used: ${error.message}`);
    }
  }

  stop() {
    for (const track of this.video.srcObject ? this.video.srcObject.getTracks() : []) track.stop();
    this.video.srcObject = null;
    this.fresh = false;
  }

  get id() {
    const [track] = this.video.srcObject ? this.video.srcObject.getVideoTracks() : [];
    return track ? track.getSettings().deviceId : undefined;
  }

  // Names are there only once the user has allowed a camera.
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(device => device.kind === "videoinput" && device.deviceId)
      .map((device, i) => ({ id: device.deviceId, name: device.label || `camera ${i + 1}` }));
  }

  // Waits for a frame that was not there when the last one was taken.
  async frame() {
    this.since = performance.now();
    if (!this.fresh) await new Promise(go => { this.waiting = go; });
    this.fresh = false;
  }

  // Whether an open camera has sent nothing for so many milliseconds, such as one that is asleep. A page in the
  // background gets no frames, which is no fault of the camera.
  isSilent(milliseconds) {
    return Boolean(this.id && this.waiting) && !document.hidden && performance.now() - this.since > milliseconds;
  }

  #listen() {
    const { video } = this;
    let seen = -1;
    const arrived = () => {
      this.fresh = true;
      if (this.waiting) { const go = this.waiting; this.waiting = null; go(); }
    };
    if ("requestVideoFrameCallback" in video) {
      const next = () => { arrived(); video.requestVideoFrameCallback(next); };
      video.requestVideoFrameCallback(next);
      return;
    }
    // Without it, the video's clock tells whether there is another picture; asked once for each that the screen shows.
    const look = () => {
      if (video.currentTime !== seen && video.videoWidth) { seen = video.currentTime; arrived(); }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }
}
