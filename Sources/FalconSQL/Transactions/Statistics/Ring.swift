/// The latest of what was added, oldest first; bounded.
struct Ring<Element: Sendable>: Sendable {
    private let capacity: Int
    private var elements: [Element] = []
    private var oldest = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    mutating func append(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
            return
        }
        elements[oldest] = element
        oldest = (oldest + 1) % capacity
    }

    var all: [Element] { Array(elements[oldest...] + elements[..<oldest]) }
}
