// The local client.
export {};
