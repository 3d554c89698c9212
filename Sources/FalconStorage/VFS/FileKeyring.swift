/// The keys to the files of one data directory, carried by the file system through which they are opened; nil
/// where files are plain. What it holds is the business of `Transform/`.
public protocol FileKeyring: AnyObject, Sendable {}
