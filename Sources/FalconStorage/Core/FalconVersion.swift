/// The product's version: the one place that holds the number.
public enum FalconVersion {
    /// Semantic: `major.minor.patch`.
    public static let current = "0.1.0"
}
