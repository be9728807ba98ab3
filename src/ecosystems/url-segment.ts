/** No index has longer names, as no file system has: patterns are not tried on more. */
const longest = 255;

/**
 * A segment of a URL's path, percent-decoded; undefined where that is not UTF-8, holds a slash, or has
 * more than 255 characters.
 */
export function decodedSegment(segment: string): string | undefined {
  try {
    const text = segment.includes('%') ? decodeURIComponent(segment) : segment;
    return text.length > longest || (text !== segment && text.includes('/')) ? undefined : text;
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
