// The page of `fercomp live`: frames to fercomp, its answers on the screen.
import { $, element, put, QUERY } from "./page.js";
import { Camera } from "./camera.js";
import { colours } from "./colours.js";
import * as meters from "./meters.js";
import * as people from "./people.js";
import * as picture from "./picture.js";
import * as portraits from "./portraits.js";
import * as recording from "./recording.js";
import * as ribbon from "./ribbon.js";
import { Talk } from "./talk.js";

const LONGEST = 480;  // pixels of the frames that are sent: no more are looked at for faces
const QUALITY = 0.8;
const KEPT = 30;      // round trips of which rate and latency are told
const TICK = 250;     // milliseconds
const TOLD = 100;     // milliseconds between two looks of everything but the picture: nobody reads faster
const SILENT = 4000;  // milliseconds without a frame after which it is said that none comes
const SAID = 3000;    // milliseconds between two sentences for who listens

const NO_CAMERA = "This browser gives pages no camera. Open this page's address in a current Firefox, Chrome, Edge or " +
  "Safari on this computer, or annotate a video: fercomp annotate VIDEO";

const sent = document.createElement("canvas"), kept = document.createElement("canvas");
const trips = [], ends = [], notices = new Map();
const camera = new Camera($("camera"), () => {
  notice("camera", "The camera stopped. Connect it again, then press Try again, or choose another one.");
  list();
});
let size = [0, 0], talk = null, saidAt = 0, toldAt = 0;

// A notice stays until its own subject is settled: a frame that was answered does not bring a camera back.
function notice(subject, text) {
  if ((notices.get(subject) || "") === text) return;
  if (text) notices.set(subject, text); else notices.delete(subject);
  $("message").replaceChildren(...[...notices.values()].map(each => element("p", each)));
  $("message").hidden = !notices.size;
  const again = notices.has("camera") && Camera.isThere;
  if (!again && document.activeElement === $("again")) $("record").focus();
  $("again").hidden = !again;
}

async function open(id) {
  try {
    await camera.open(id);
    notice("camera", "");
  } catch (error) {
    notice("camera", error.message);
  }
  await list();
}

async function list() {
  const cameras = await camera.list().catch(() => []);
  $("cameras").replaceChildren(...cameras.map(({ id, name }) => new Option(name, id, false, id === camera.id)));
  $("choice").hidden = !cameras.length;
}

function connect() {
  talk = new Talk(`ws://${location.host}/frames${QUERY}`, greeted, () => {
    notice("connection", "The connection to fercomp ended. Type `fercomp live` again.");
    recording.stop();
  });
}

function greeted(hello) {
  Object.assign(colours, { labels: hello.colours, emotions: hello.emotions });
  meters.makeBars(hello.classes);
  meters.tell(null, people.heading(null));
  recording.begin(talk);
  look();
}

// One frame at a time: the browser never runs ahead of the model.
async function look() {
  for (;;) {
    await camera.frame();
    if (String(camera.size) !== String(size)) {
      size = camera.size;
      const scale = Math.min(1, LONGEST / Math.max(...size));
      [sent.width, sent.height] = size.map(side => Math.max(1, Math.round(side * scale)));
      [kept.width, kept.height] = size;
      picture.resize(...size);
      await talk.ask({ camera: size });
    }
    kept.getContext("2d").drawImage(camera.video, 0, 0);
    sent.getContext("2d", { willReadFrequently: true }).drawImage(kept, 0, 0, sent.width, sent.height);
    const jpeg = await new Promise(done => sent.toBlob(done, "image/jpeg", QUALITY));
    const begin = performance.now();
    answered(await talk.ask(jpeg), begin);
  }
}

function answered(answer, begin) {
  if (answer.kind !== "faces") {
    notice("frame", answer.message);
    if (!answer.recording) recording.stop();
    return;
  }
  notice("frame", "");
  const now = performance.now();
  trips.push(now - begin); ends.push(now);
  if (trips.length > KEPT) { trips.shift(); ends.shift(); }
  // From left to right as they are shown, which is from right to left before the camera.
  const faces = answer.faces.reverse(), face = people.chosen(faces);
  picture.show(kept, faces, face && people.isFollowed(face.track) ? face.track : null);
  ribbon.add(faces, now / 1000);
  if (answer.clock) { portraits.see(faces, kept); recording.heard(answer.clock); }
  if (now - toldAt < TOLD) return;
  toldAt = now;
  people.offer(faces, size);
  meters.tell(face, people.heading(face));
  tellPace(faces.length);
  tellListener(faces, face, now);
}

function tellPace(count) {
  put("count", String(count));
  if (ends.length < 2) return;
  put("fps", (1000 * (ends.length - 1) / (ends.at(-1) - ends[0])).toFixed(1));
  put("latency", [...trips].sort((a, b) => a - b)[trips.length >> 1].toFixed(0));
}

// The number of faces and one emotion, not the percents, which change with each frame.
function tellListener(faces, face, now) {
  if (now - saidAt < SAID) return;
  const count = `${faces.length} face${faces.length === 1 ? "" : "s"}`;
  put("said", face ? `${count}. #${face.track}: ${face.emotion}.` : `${count}.`);
  saidAt = now;
}

$("cameras").onchange = () => open($("cameras").value);
$("again").onclick = () => open($("cameras").value);
$("stage").onkeydown = event => { if (event.key === "Escape") people.follow(null); };
setInterval(() => {
  recording.tick();
  ribbon.draw(performance.now() / 1000);
  notice("silence", camera.isSilent(SILENT) ? "No picture comes from the camera. Look whether it sleeps, or choose it again." : "");
}, TICK);
connect();
if (Camera.isThere) {
  navigator.mediaDevices.addEventListener("devicechange", list);
  open();
} else {
  notice("camera", NO_CAMERA);
}
