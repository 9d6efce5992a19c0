// Latin letters become Odia while they are typed. The table is this project's own, close to what
// people write in messages: capitals are the retroflex letters, a doubled vowel is the long one.

const VIRAMA = "\u0b4d";

// Latin -> consonant; longest match first.
export const CONSONANTS = {
  k: "କ", kh: "ଖ", g: "ଗ", gh: "ଘ", "~N": "ଙ",
  c: "ଚ", ch: "ଚ", chh: "ଛ", Ch: "ଛ", j: "ଜ", z: "ଜ", jh: "ଝ", "~n": "ଞ",
  T: "ଟ", Th: "ଠ", D: "ଡ", Dh: "ଢ", N: "ଣ", R: "ଡ\u0b3c", Rh: "ଢ\u0b3c",
  t: "ତ", th: "ଥ", d: "ଦ", dh: "ଧ", n: "ନ",
  p: "ପ", ph: "ଫ", f: "ଫ", b: "ବ", bh: "ଭ", m: "ମ",
  y: "ୟ", Y: "ଯ", r: "ର", l: "ଲ", L: "ଳ", w: "ୱ", v: "ୱ",
  sh: "ଶ", S: "ଷ", Sh: "ଷ", s: "ସ", h: "ହ",
  x: "କ୍ଷ", ksh: "କ୍ଷ", jny: "ଜ୍ଞ",
};

// Latin -> [letter, sign after a consonant].
export const VOWELS = {
  a: ["ଅ", ""], aa: ["ଆ", "ା"], A: ["ଆ", "ା"],
  i: ["ଇ", "ି"], ii: ["ଈ", "ୀ"], I: ["ଈ", "ୀ"], ee: ["ଈ", "ୀ"],
  u: ["ଉ", "ୁ"], uu: ["ଊ", "ୂ"], U: ["ଊ", "ୂ"], oo: ["ଊ", "ୂ"],
  RR: ["ଋ", "ୃ"],
  e: ["ଏ", "େ"], ai: ["ଐ", "ୈ"], o: ["ଓ", "ୋ"], au: ["ଔ", "ୌ"], ou: ["ଔ", "ୌ"],
};

export const SIGNS = {
  M: "ଂ", H: "ଃ", "~": "ଁ", _: "\u200c", "|": "।",
  0: "୦", 1: "୧", 2: "୨", 3: "୩", 4: "୪", 5: "୫", 6: "୬", 7: "୭", 8: "୮", 9: "୯",
};

const TABLE = new Map([
  ...Object.entries(CONSONANTS).map(([latin, text]) => [latin, { kind: "consonant", text }]),
  ...Object.entries(VOWELS).map(([latin, [text, sign]]) => [latin, { kind: "vowel", text, sign }]),
  ...Object.entries(SIGNS).map(([latin, text]) => [latin, { kind: "sign", text }]),
]);
const LONGEST = Math.max(...[...TABLE.keys()].map((latin) => latin.length));

export const isTyped = (char) => /^[a-zA-Z~_|0-9]$/.test(char);

/** The Odia text of Latin letters; what the table does not know stays as it is. */
export function transliterate(latin) {
  let text = "";
  let open = false; // a consonant whose vowel has not come
  for (let at = 0; at < latin.length;) {
    let size = Math.min(LONGEST, latin.length - at);
    while (size > 1 && !TABLE.has(latin.slice(at, at + size))) size -= 1;
    const piece = latin.slice(at, at + size);
    const entry = TABLE.get(piece) ?? { kind: "sign", text: piece };
    if (entry.kind === "vowel") {
      text += open ? entry.sign : entry.text;
    } else {
      text += (open ? VIRAMA : "") + entry.text;
    }
    open = entry.kind === "consonant";
    at += size;
  }
  return open ? text + VIRAMA : text;
}

/** Turns what is typed into a field into Odia while `isOn()`; gives a function that stops it. */
export function attachPhonetic(field, isOn) {
  let word = null; // { start, latin, length }: what is being typed, and what stands for it

  const forget = () => { word = null; };

  const type = (event) => {
    if (!isOn() || event.isComposing || event.inputType !== "insertText" || !isTyped(event.data ?? "")) {
      forget();
      return;
    }
    const { selectionStart, selectionEnd } = field;
    const goesOn = word && selectionStart === selectionEnd && selectionStart === word.start + word.length;
    if (!goesOn) word = { start: selectionStart, latin: "", length: selectionEnd - selectionStart };
    event.preventDefault();
    word.latin += event.data;
    const text = transliterate(word.latin);
    field.setRangeText(text, word.start, word.start + word.length, "end");
    word.length = text.length;
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
  };

  field.addEventListener("beforeinput", type);
  field.addEventListener("blur", forget);
  field.addEventListener("pointerdown", forget);
}
