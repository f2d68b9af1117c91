export declare function earlyZipReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
