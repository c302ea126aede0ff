/**
 * Characters that look like other characters. The key of each list is what its characters look
 * like. This is a selection of Unicode Technical Standard #39, confusables.txt: the alphabets that
 * resemble Latin, and punctuation. What NFKC and lower case change already, such as full-width and
 * mathematical letters, is not listed.
 */

/**
 * Characters that look alike in upper and lower case. Characters of scripts from right to left are
 * written by their code point.
 */
const CASELESS: Readonly<Record<string, string>> = {
  a: "αа⍺ɑꭺꓮ",
  b: "βвьꞵᏼꓐƅꮟɓ",
  c: "ᴄсⲥꮯꓚςƈ",
  d: "ԁꮷꓒꭰꓓɗ",
  e: "ε℮ꬲеҽꭼꓰ",
  f: "ꬵꞙẝքϝꓝ",
  g: "ɡᶃƍցԍꮐᏻꓖɠ",
  h: "һհꮒⲏнꮋꓧ",
  j: "ϳјʝꭻꓙ",
  k: "κⲕкꮶꓗƙ",
  // The capital of i is the twin of l, and both are twins of 1.
  l: "1i|ɩıɪιіӏⲓⅼꓲꮮꓡǀ∣│ꙇꭵ⍳ⳑ\u05c0\u05d5\u05df\u0627\u0661\u06f1",
  m: "мμϻⲙꮇꓟ",
  n: "ոռηⲛꓠп",
  o: "0οоօσⲟᴏᴑꬽꓳჿ\u05e1\u0647\u06be\u06c1\u06d5\u0665\u06f5",
  p: "ρрⲣꮲꓑ⍴ƥ",
  q: "ԛգզ",
  r: "гᴦⲅꮁꭇꭈʀꭱꮢꓣ",
  s: "ѕꜱƽտꮥꮪꓢ",
  t: "τтⲧꭲꓔ⊤ƭ",
  u: "ꞟᴜꭎꭒʋυսꓴ∪",
  v: "νѵᴠꮩꓦ∨\u05d8\u0667\u06f7",
  w: "ѡԝաᴡꮃꮤɯꓪ",
  x: "хχⲭꭓꓫ×╳⨯",
  y: "уүγʏɣⲩꭹꮍꓬყỿƴ",
  z: "ζᴢꮓꓜ",
  2: "ƨϩꙅꝛ",
  3: "зʒӡɜȝꝫⳍ",
  4: "ꮞ",
  5: "ƽ",
  6: "бⳓꮾ",
  8: "ȣ",
  9: "ꝯⳋ",
  ae: "æӕ",
  oe: "œ",
  lo: "ю",
  bl: "ы",
  "'": "՝‘’‛′‵՚ʹˈˊˋ˴ʻʽʼʾꞌ`´\u05f3\u05d9",
  '"': "“”‟〃ʺ˶ˮ\u05f4",
  "-": "‐‒–—⁃˗−➖ⲻ―\u06d4",
  "*": "⁎∗\u066d",
  ":": "։᛬᠃⁚˸꞉∶ːꓽ\u05c3",
  ",": "‚ꓹ\u060d\u066b",
  ".": "ꓸ·․\u0660\u06f0",
  "/": "᜵⁁∕⁄╱⟋⧸",
  "\\": "∖⟍⧵⧹",
  "<": "‹❮˂",
  ">": "›❯˃",
  "!": "ǃ",
  "?": "ʔɂꭾ",
  "~": "⁓∼",
  "+": "᛭➕",
};

/** Capitals that look like another letter than their lower-case form does. */
const CAPITALS: Readonly<Record<string, string>> = { h: "Η", n: "Ν", y: "Υ" };

const caseless = tableOf(CASELESS);
const capitals = tableOf(CAPITALS);

function tableOf(groups: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const [target, characters] of Object.entries(groups)) {
    for (const character of characters) table.set(character, target);
  }
  return table;
}

function replaced(text: string, table: ReadonlyMap<string, string>): string {
  let result = "";
  for (const character of text) result += table.get(character) ?? character;
  return result;
}

/**
 * A key for what a text looks like. Two texts that a reader would confuse have the same key, in
 * upper or lower case.
 */
export function skeleton(text: string): string {
  // The small form of U+0130 is an i with a second dot.
  const small = text.normalize("NFKC").toLowerCase().replaceAll("i\u0307", "i").normalize("NFKC");
  return replaced(small, caseless).replaceAll("rn", "m").replaceAll("vv", "w");
}

/**
 * The same key, for the text as it is written: its capitals count as the letters that they look
 * like.
 */
export function writtenSkeleton(text: string): string {
  return skeleton(replaced(text.normalize("NFKC"), capitals));
}
