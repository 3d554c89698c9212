/// The product's version: the one place that holds the number.
public enum FalconVersion {
    public static let current = "0.1.0"
}
