import Synchronization

/// A number one thread raises and others read.
final class Progress: Sendable {
    private let value = Atomic<Int>(0)
    func set(_ new: Int) { value.store(new, ordering: .releasing) }
    func get() -> Int { value.load(ordering: .acquiring) }
}
