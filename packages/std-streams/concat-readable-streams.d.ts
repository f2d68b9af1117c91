export declare function concatReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
