/** What is said in place of a secret. */
const REDACTED = '(redacted)'

/** Names that people give to secrets. */
const SECRET_NAME =
  /pass(?:word|wd|phrase)?|secret|token|credential|api-?_?key|private-?_?key|auth/i

const IN_TEXT: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // scheme://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"]+@/gi, `$1${REDACTED}@`],
  // password=…, "token": "…", --secret …, up to whatever ends the value.
  [
    new RegExp(
      `((?:${SECRET_NAME.source})[\\w.-]*["']?\\s*[=:]\\s*["']?)[^\\s"'&,;}]+`,
      'gi',
    ),
    `$1${REDACTED}`,
  ],
  [/(\bbearer\s+)\S+/gi, `$1${REDACTED}`],
]

/** `value` with whatever looks like a secret taken out, by its name or its form. */
export function redacted(value: object): object {
  const copy: unknown = JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => {
      if (typeof inner !== 'string') return inner
      return SECRET_NAME.test(name) ? REDACTED : redactedText(inner)
    }),
  )
  return typeof copy === 'object' && copy !== null ? copy : {}
}

export function redactedText(text: string): string {
  return IN_TEXT.reduce(
    (clean, [pattern, instead]) => clean.replaceAll(pattern, instead),
    text,
  )
}
