/**
 * Every word the page says, in English and Chinese, and how numbers are written. A test holds that both tables have
 * the same entries and that the page asks for no others.
 *
 * Knows no DOM.
 */

/** @typedef {'en' | 'zh'} Language */

const en = {
  title: 'wiretail',
  logs: 'Logs',
  searchLogs: 'Search logs',
  openLogs: 'Show the list of logs',
  closeLogs: 'Close the list of logs',
  lines: 'Log lines',
  statusBar: 'Status',
  start: 'Start',
  stop: 'Stop',
  pause: 'Pause',
  resume: 'Resume',
  follow: 'Follow',
  followHint: 'Stay at the end as lines come (f)',
  pauseHint: 'Hold the stream; no line is lost (Space)',
  stopHint: 'Close the connection',
  startHint: 'Go on where it stopped',
  wrap: 'Wrap lines',
  wrapHint: 'Wrap long lines (w)',
  settings: 'Settings',
  help: 'Keys',
  close: 'Close',
  theme: 'Theme',
  themeAuto: 'Auto',
  themeLight: 'Light',
  themeDark: 'Dark',
  language: 'Language',
  languageAuto: 'Auto',
  textSize: 'Text size',
  smaller: 'Smaller text',
  larger: 'Larger text',
  numbers: 'Line numbers',
  numbersHint: 'Counted within each file, where they are known',
  noScript: 'This page needs JavaScript.',

  find: 'Search this log',
  findHint: 'Search all of this log (/)',
  findIn: 'Search all of this log',
  findNext: 'Next hit (n)',
  findPrevious: 'Hit before (N)',
  findClose: 'Close the search (Esc)',
  findStopHint: 'Stop searching (Esc)',
  findProgress: 'How much has been searched',
  exactCase: 'Match case',
  words: 'Whole words',
  regex: 'Regular expression',
  hits: 'Hits',
  hitMap: 'Where in the whole log the hits are',
  hitsMore: (/** @type {string} */ nearest, /** @type {string} */ count) =>
    `The nearest ${nearest} of ${count} are listed`,
  hitHidden: 'The filter hides this line',
  linkGone: 'This line is not in the log any more',
  found: (/** @type {string} */ count, /** @type {number} */ n) => `${count} ${n === 1 ? 'line' : 'lines'} found`,
  foundNothing: 'Not found',
  hitOf: (/** @type {string} */ at, /** @type {string} */ count) => `${at} of ${count}`,
  searching: 'Searching',
  unpacking: 'Unpacking',
  counting: 'Counting lines',
  searchStopped: 'Stopped',
  searchLost: 'The connection was lost; Enter searches again',

  filter: 'Filter',
  filterHint: 'Show only some lines (&)',
  filterCount: (/** @type {string} */ count, /** @type {number} */ n) =>
    `${count} ${n === 1 ? 'condition' : 'conditions'} (&)`,
  filterOn: 'Filter on',
  filterChips: 'Conditions',
  filterTurn: 'Show or hide lines with this',
  filterText: 'Text of the next condition',
  filterOnly: 'only',
  filterHide: 'hide',
  filterOnlyLines: 'Show only lines with…',
  filterHideLines: 'Hide lines with…',
  filterClear: 'Clear',
  filterClose: 'Put the filter bar away',
  chipOnly: 'Only lines with this are shown. Hide them instead',
  chipHide: 'Lines with this are hidden. Show only them instead',
  chipRemove: (/** @type {string} */ text) => `Remove ${text}`,

  goto: 'Go to',
  gotoHint: 'Go to a line, a time or a place (g)',
  gotoWhere: ':1234, 14:05, 50%, -10m or a link',
  gotoGo: 'Go',
  gotoStart: 'Start',
  gotoEnd: 'End',
  gotoClock: 'today at that time',
  gotoTime: 'the time in the lines',
  gotoAgo: 'ten minutes ago; also s, h, d',
  gotoLine: 'a line of the newest file',
  gotoShare: 'that much of the whole log',
  gotoUnclear: 'That is no line, time or place. See below for what can be written.',
  gotoPercent: 'There is no more than 100 %.',
  gotoFailed: 'There was no answer. Is the page connected?',
  link: 'Copy a link to this line',
  linkCopied: 'The link to this line was copied',
  linkInAddress: 'The address of this page leads to this line now',
  linkFailed: 'There was no answer; the link could not be made',

  masked: 'masked by the server',
  maskedHint: 'Parts of this log do not leave the server; █████ stands in their place',
  maskedNote: 'masked',
  invalid: 'Not valid in the encoding of this log',
  encodingHint: 'What the bytes of this log are taken for',

  none: 'No log chosen',
  connecting: 'Connecting',
  live: 'Live',
  'catching-up': 'Catching up',
  past: 'In the past',
  pastHint: 'Held while you read. Follow leads back to the end.',
  paused: 'Paused',
  full: 'Waiting for you',
  gone: 'Waiting for the file',
  waiting: 'Reconnecting',
  refused: 'Refused',
  stopped: 'Stopped',
  ended: 'Ended',
  retryIn: (/** @type {string} */ seconds) => `again in ${seconds} s`,
  unlisted: 'the server does not list this log',
  denied: 'the server does not let this page in',
  unreachable: 'the server cannot be reached',
  fullHint: 'The page is full. Go to the end to read on; nothing is lost.',

  newLines: (/** @type {string} */ count, /** @type {number} */ n) => `${count} new ${n === 1 ? 'line' : 'lines'}`,
  toEnd: 'To the end',
  toLive: 'Back to live',
  perSecond: (/** @type {string} */ rate, /** @type {number} */ n) => `${rate} ${n === 1 ? 'line' : 'lines'}/s`,
  behind: (/** @type {string} */ bytes) => `${bytes} behind`,
  offset: (/** @type {string} */ bytes) => `at byte ${bytes}`,
  offsetHint: 'Where reading stands in the file; the cursor is',
  kept: (/** @type {string} */ count, /** @type {number} */ n) => `${count} ${n === 1 ? 'line' : 'lines'} here`,
  keptHint: 'Lines this page holds. The oldest are let go, the file keeps them.',

  beganAt: (/** @type {string} */ count) => `From here: the last ${count} lines when reading began`,
  beganHere: (/** @type {string} */ bytes) => `From here: reading began at byte ${bytes}`,
  beganStart: 'The beginning of the log',
  beganMore: 'Scroll up for earlier lines',
  beganLoading: 'Fetching earlier lines…',
  beganNone: 'No line of the log passes the filter',
  letGo: (/** @type {string} */ count, /** @type {number} */ n) =>
    `${count} earlier ${n === 1 ? 'row is' : 'rows are'} not kept by this page; the file has them`,

  rotated: 'The file was rotated; the new one begins here',
  truncated: 'The file was truncated; it begins anew here',
  gap: (/** @type {string} */ bytes) => `${bytes} are missing here`,
  gapUnknown: 'Some bytes are missing here; how many is not known',
  whyRotated: 'rotated away before they could be read',
  whyTruncated: 'truncated before they could be read',
  whyHole: 'a hole in the file: nothing was ever written there',
  missing: 'The file is gone',
  back: 'The file is there again',
  end: 'End of the log',
  error: 'The server says',

  loading: 'Looking for logs…',
  noLogs: 'No logs yet',
  noLogsText: 'The server watches its sources and finds nothing to show. This list looks again by itself.',
  noMatch: 'No log has that in its name',
  listUnreachable: 'The server cannot be reached; trying again.',
  listRefused: 'The server does not let this page in.',
  choose: 'Choose a log',
  chooseText: 'Its last lines come first, then every new one as it is written.',
  nothingYet: 'Nothing written yet',
  nothingYetText: 'The log is empty. Lines appear here as soon as they are written.',
  notThere: 'The log is not there',
  notThereText: 'It will be shown as soon as it appears.',
  unreadable: 'The log cannot be read',
  unreadableText: 'It will be shown as soon as it can be.',
  refusedText: 'The server does not show this log. The page asks again from time to time.',
  demo: 'This log writes itself. Try:',
  dismiss: 'Dismiss',

  stateOk: 'readable',
  stateMissing: 'not there',
  stateRefused: 'cannot be read',
  viewers: (/** @type {string} */ count, /** @type {number} */ n) => `${count} ${n === 1 ? 'viewer' : 'viewers'}`,

  keyFollow: 'Follow the end, or stop following',
  keyPause: 'Pause and resume',
  keyTop: 'To the beginning of the log',
  keyEnd: 'To the end, and follow',
  keyLine: 'A line down or up',
  keyPage: 'A page down or up',
  keyWrap: 'Wrap long lines, or not',
  keyFind: 'Search all of the log',
  keyHit: 'To the next hit, or the one before',
  keyFilter: 'Filter the lines',
  keyGoto: 'Go to a line, a time or a place',
  keyLink: 'Link to the line found, or else the first in sight',
  keyLogs: 'Search the list of logs',
  keyHelp: 'This sheet',
  keyEscape: 'Close, or leave the search',
};

/** @typedef {typeof en} Words */

/** @type {Words} */
const zh = {
  title: 'wiretail',
  logs: '日志',
  searchLogs: '搜索日志',
  openLogs: '显示日志列表',
  closeLogs: '关闭日志列表',
  lines: '日志内容',
  statusBar: '状态',
  start: '开始',
  stop: '停止',
  pause: '暂停',
  resume: '继续',
  follow: '跟随',
  followHint: '有新行时停留在末尾（f）',
  pauseHint: '暂停接收，不会丢失任何一行（空格）',
  stopHint: '关闭连接',
  startHint: '从停止处继续',
  wrap: '自动换行',
  wrapHint: '长行自动换行（w）',
  settings: '设置',
  help: '按键',
  close: '关闭',
  theme: '主题',
  themeAuto: '自动',
  themeLight: '浅色',
  themeDark: '深色',
  language: '语言',
  languageAuto: '自动',
  textSize: '字号',
  smaller: '缩小文字',
  larger: '放大文字',
  numbers: '行号',
  numbersHint: '在各文件内计数，已知时显示',
  noScript: '本页面需要 JavaScript。',

  find: '搜索此日志',
  findHint: '搜索整个日志（/）',
  findIn: '搜索整个日志',
  findNext: '下一处（n）',
  findPrevious: '上一处（N）',
  findClose: '关闭搜索（Esc）',
  findStopHint: '停止搜索（Esc）',
  findProgress: '搜索进度',
  exactCase: '区分大小写',
  words: '全字匹配',
  regex: '正则表达式',
  hits: '搜索结果',
  hitMap: '结果在整个日志中的位置',
  hitsMore: (nearest, count) => `共 ${count} 处，仅列出最近的 ${nearest} 处`,
  hitHidden: '过滤条件隐藏了此行',
  linkGone: '此行已不在日志中',
  found: (count) => `找到 ${count} 行`,
  foundNothing: '没有找到',
  hitOf: (at, count) => `第 ${at} / ${count} 处`,
  searching: '正在搜索',
  unpacking: '正在解压',
  counting: '正在统计行数',
  searchStopped: '已停止',
  searchLost: '连接已断开，按回车重新搜索',

  filter: '过滤',
  filterHint: '只显示部分行（&）',
  filterCount: (count) => `${count} 个条件（&）`,
  filterOn: '启用过滤',
  filterChips: '条件',
  filterTurn: '显示或隐藏包含此内容的行',
  filterText: '下一个条件的内容',
  filterOnly: '仅含',
  filterHide: '隐藏',
  filterOnlyLines: '只显示包含以下内容的行…',
  filterHideLines: '隐藏包含以下内容的行…',
  filterClear: '清除',
  filterClose: '收起过滤栏',
  chipOnly: '只显示包含此内容的行；点击改为隐藏',
  chipHide: '隐藏包含此内容的行；点击改为只显示',
  chipRemove: (text) => `移除 ${text}`,

  goto: '跳转',
  gotoHint: '跳转到行、时间或位置（g）',
  gotoWhere: ':1234、14:05、50%、-10m 或链接',
  gotoGo: '前往',
  gotoStart: '开头',
  gotoEnd: '末尾',
  gotoClock: '今天的这个时间',
  gotoTime: '日志行中的时间',
  gotoAgo: '十分钟之前；也可用 s、h、d',
  gotoLine: '最新文件中的某一行',
  gotoShare: '整个日志的相应位置',
  gotoUnclear: '无法识别为行号、时间或位置，可用写法见下方。',
  gotoPercent: '不能超过 100 %。',
  gotoFailed: '没有收到回应，页面是否已连接？',
  link: '复制此行的链接',
  linkCopied: '已复制此行的链接',
  linkInAddress: '本页地址现在指向此行',
  linkFailed: '没有收到回应，无法生成链接',

  masked: '内容已被服务器遮盖',
  maskedHint: '此日志的部分内容不会离开服务器，以 █████ 代替',
  maskedNote: '部分内容已遮盖',
  invalid: '不符合此日志编码的字节',
  encodingHint: '此日志采用的字符编码',

  none: '未选择日志',
  connecting: '正在连接',
  live: '实时',
  'catching-up': '正在追赶',
  past: '正在看历史',
  pastHint: '阅读期间暂停接收，点“跟随”回到末尾。',
  paused: '已暂停',
  full: '等待阅读',
  gone: '等待文件出现',
  waiting: '正在重连',
  refused: '被拒绝',
  stopped: '已停止',
  ended: '已结束',
  retryIn: (seconds) => `${seconds} 秒后重试`,
  unlisted: '服务器没有列出此日志',
  denied: '服务器拒绝了本页面的访问',
  unreachable: '无法连接服务器',
  fullHint: '页面已满。回到末尾即可继续阅读，不会丢失内容。',

  newLines: (count) => `${count} 行新内容`,
  toEnd: '回到末尾',
  toLive: '回到实时',
  perSecond: (rate) => `${rate} 行/秒`,
  behind: (bytes) => `落后 ${bytes}`,
  offset: (bytes) => `位于第 ${bytes} 字节`,
  offsetHint: '文件中的读取位置；游标为',
  kept: (count) => `保留 ${count} 行`,
  keptHint: '本页面保留的行数。最早的行会被移除，文件中仍然保留。',

  beganAt: (count) => `从这里开始：打开时的最后 ${count} 行`,
  beganHere: (bytes) => `从这里开始：打开时位于第 ${bytes} 字节`,
  beganStart: '日志的开头',
  beganMore: '向上滚动查看更早的内容',
  beganLoading: '正在获取更早的内容…',
  beganNone: '没有符合过滤条件的行',
  letGo: (count) => `更早的 ${count} 行已不在本页面中，文件中仍然保留`,

  rotated: '文件已轮转，新文件从这里开始',
  truncated: '文件被截断，从这里重新开始',
  gap: (bytes) => `此处缺失 ${bytes}`,
  gapUnknown: '此处有内容缺失，数量未知',
  whyRotated: '在读取之前已被轮转',
  whyTruncated: '在读取之前已被截断',
  whyHole: '文件空洞：此处从未写入内容',
  missing: '文件不见了',
  back: '文件又出现了',
  end: '日志结束',
  error: '服务器提示',

  loading: '正在查找日志…',
  noLogs: '还没有日志',
  noLogsText: '服务器正在监视日志来源，目前没有可显示的内容。列表会自动刷新。',
  noMatch: '没有匹配的日志名',
  listUnreachable: '无法连接服务器，正在重试。',
  listRefused: '服务器拒绝了本页面的访问。',
  choose: '请选择日志',
  chooseText: '先显示最后若干行，随后实时显示每一行新内容。',
  nothingYet: '还没有内容',
  nothingYetText: '日志为空。一旦写入，内容会立即显示在这里。',
  notThere: '日志不存在',
  notThereText: '一旦出现就会显示在这里。',
  unreadable: '无法读取此日志',
  unreadableText: '一旦可以读取就会显示在这里。',
  refusedText: '服务器没有提供此日志，页面会不时重试。',
  demo: '此日志由程序自动写入。请试试：',
  dismiss: '关闭提示',

  stateOk: '可读',
  stateMissing: '不存在',
  stateRefused: '无法读取',
  viewers: (count) => `${count} 人在看`,

  keyFollow: '跟随末尾，或停止跟随',
  keyPause: '暂停与继续',
  keyTop: '到日志开头',
  keyEnd: '到末尾并跟随',
  keyLine: '下一行、上一行',
  keyPage: '下一页、上一页',
  keyWrap: '切换自动换行',
  keyFind: '搜索整个日志',
  keyHit: '下一处、上一处结果',
  keyFilter: '过滤日志行',
  keyGoto: '跳转到行、时间或位置',
  keyLink: '复制所找到的行或首行的链接',
  keyLogs: '搜索日志列表',
  keyHelp: '本帮助',
  keyEscape: '关闭，或离开搜索',
};

/** @type {Record<Language, Words>} */
export const WORDS = { en, zh };

/**
 * The language to speak: the chosen one, else the first of the browser's that we know.
 * @param {'auto' | Language} chosen
 * @param {readonly string[]} preferred the browser's list, such as `['zh-CN', 'en']`
 * @returns {Language}
 */
export function languageFor(chosen, preferred) {
  if (chosen !== 'auto') return chosen;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh' || primary === 'en') return primary;
  }
  return 'en';
}

/** The `lang` of the page, which also chooses the forms of Chinese characters. */
export const TAGS = Object.freeze({ en: 'en', zh: 'zh-CN' });

/**
 * `12,345`
 * @param {number} n
 * @param {Language} language
 */
export function count(n, language) {
  return n.toLocaleString(TAGS[language], { maximumFractionDigits: 0 });
}

/**
 * Lines per second: exact while few, no false precision when many.
 * @param {number} perSecond
 * @param {Language} language
 */
export function rate(perSecond, language) {
  const shown = perSecond >= 10 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10;
  return shown.toLocaleString(TAGS[language], { maximumFractionDigits: 1 });
}

/**
 * `1.4 MiB`; powers of 1024 with their own names.
 * @param {number} n
 * @param {Language} language
 */
export function bytes(n, language) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  // 1023.95 KiB would be written "1,024 KiB".
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(TAGS[language], { maximumFractionDigits: digits })} ${units[unit]}`;
}

/**
 * What the server does, and how far it has come.
 * @param {{ what: string, share: number } | null} progress
 * @param {Words} words
 */
export function doingText(progress, words) {
  if (progress === null) return '';
  const doing = { unpacking: words.unpacking, counting: words.counting }[progress.what] ?? words.searching;
  return `${doing} ${Math.floor(progress.share * 100)} %`;
}
