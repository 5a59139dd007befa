/**
 * Where in the whole log the hits are, as a strip beside the scroll bar: its upper end is the oldest line there is.
 * A picture for the eye; whoever cannot see it has the list of hits.
 */

/** Height of a bucket at the least, in CSS pixels. */
const LEAST = 2;

export class HitMap {
  #drawn = '';

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(percent: number) => void} go
   */
  constructor(canvas, go) {
    this.canvas = canvas;
    canvas.addEventListener('click', (event) => {
      const { top, height } = canvas.getBoundingClientRect();
      go(Math.min(100, Math.max(0, ((event.clientY - top) / height) * 100)));
    });
  }

  /**
   * @param {number[]} map how many hits in each part of the log
   * @param {number | null} at where one is
   * @param {string} theme
   */
  draw(map, at, theme) {
    const { canvas } = this;
    canvas.hidden = map.length === 0;
    if (canvas.hidden) return;
    const { width, height } = canvas.getBoundingClientRect();
    const drawn = [map.join(), at, theme, width, height, devicePixelRatio].join(' ');
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const paint = canvas.getContext('2d');
    if (paint === null) return;
    const style = getComputedStyle(canvas);
    paint.scale(devicePixelRatio, devicePixelRatio);
    paint.fillStyle = style.getPropertyValue('--hit-ink');
    const most = map.reduce((a, b) => Math.max(a, b), 1);
    for (const [i, n] of map.entries()) {
      if (n === 0) continue;
      // One hit must be seen beside thousands.
      const share = 0.4 + 0.6 * (Math.log1p(n) / Math.log1p(most));
      const top = (i / map.length) * height;
      paint.globalAlpha = share;
      paint.fillRect(1, Math.min(top, height - LEAST), width - 2, Math.max(LEAST, height / map.length));
    }
    if (at === null) return;
    paint.globalAlpha = 1;
    paint.fillStyle = style.color;
    paint.fillRect(0, Math.min(height - 3, Math.max(0, at * height - 1)), width, 3);
  }
}
