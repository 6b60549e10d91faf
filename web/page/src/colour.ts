/** Makes the operator's one colour readable in both colour schemes (WCAG 2.2, 1.4.3). */

type Rgb = readonly [number, number, number];

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];
/** The contrast that text needs. */
const CONTRAST = 4.5;

/** `#rrggbb`, made darker or lighter in small steps until it can be read on `background`. Hue and saturation stay. */
export function readableOn(colour: string, background: string): string {
  const ground = parse(background);
  const step = luminance(ground) > 0.5 ? -0.01 : 0.01;
  let found = parse(colour);
  const { hue, saturation, lightness } = hsl(found);
  for (let at = lightness; at >= 0 && at <= 1 && contrast(found, ground) < CONTRAST; at += step) {
    found = rgb(hue, saturation, at);
  }
  return format(found);
}

/** Black or white, whichever can be read on `colour`. */
export function textOn(colour: string): string {
  const ground = parse(colour);
  return format(contrast(WHITE, ground) >= CONTRAST ? WHITE : BLACK);
}

/** The contrast of two colours, from 1 to 21. */
export function contrastOf(one: string, other: string): number {
  return contrast(parse(one), parse(other));
}

function contrast(one: Rgb, other: Rgb): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** A colour as hue (0 to 6), saturation and lightness (0 to 1). */
function hsl(colour: Rgb): { hue: number; saturation: number; lightness: number } {
  const [red, green, blue] = colour.map((value) => value / 255) as [number, number, number];
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  const lightness = most - range / 2;
  if (range === 0) return { hue: 0, saturation: 0, lightness };
  const hue = most === red ? (green - blue) / range + 6 : most === green ? (blue - red) / range + 2 : (red - green) / range + 4;
  return { hue: hue % 6, saturation: range / (1 - Math.abs(2 * lightness - 1)), lightness };
}

function rgb(hue: number, saturation: number, lightness: number): Rgb {
  const chroma = (1 - Math.abs(2 * lightness - 1)) * saturation;
  const part = (turn: number) => {
    const distance = Math.abs(((hue + turn) % 6) - 3) - 1;
    return Math.round(255 * (lightness + chroma * (Math.min(1, Math.max(0, distance)) - 0.5)));
  };
  return [part(0), part(4), part(2)];
}

function parse(colour: string): Rgb {
  const number = Number.parseInt(colour.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

function format(rgb: Rgb): string {
  return `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
