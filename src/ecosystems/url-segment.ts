/** A segment of a URL's path, percent-decoded; undefined where that is not UTF-8 or holds a slash. */
export function decodedSegment(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    const text = decodeURIComponent(segment);
    return text.includes('/') ? undefined : text;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The last segment of a path or URL (query and fragment allowed), percent-decoded. */
export function lastSegment(url: string): string | undefined {
  const path = url.replace(/[?#].*$/s, '');
  return decodedSegment(path.slice(path.lastIndexOf('/') + 1));
}
