/// Working memory that is taken in order and given back in reverse: `mark`, allocate, `rewind`.
///
/// It grows by whole blocks and keeps them, so that work of the same shape as before asks nothing
/// of the system. Contents are undefined. Not for concurrent use.
package final class Arena {
    package struct Mark: BitwiseCopyable {
        fileprivate let block: Int
        fileprivate let used: Int
    }

    private var blocks: [Memory] = []
    /// The same, for threads that ask how much memory they take.
    private let held = Guarded<[Memory]>([])
    private var current = 0
    private var used = 0
    private let smallestBlock: Int

    package init(smallestBlock: Int = 1 << 20) {
        self.smallestBlock = smallestBlock
    }

    package var mark: Mark { Mark(block: current, used: used) }

    package func rewind(to mark: Mark) {
        current = mark.block
        used = mark.used
    }

    package func rewind() {
        current = 0
        used = 0
    }

    /// Bytes held from the system.
    package var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

    /// Bytes that were touched of those. Any thread may ask.
    package var residentByteCount: Int { held.withLock { $0 }.reduce(0) { $0 + $1.residentByteCount } }

    /// 64-byte aligned memory for `count` elements.
    package func allocate<Element: BitwiseCopyable>(
        _ type: Element.Type, count: Int
    ) throws(GraftError) -> UnsafeMutablePointer<Element> {
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, bytes < 1 << 46 else {
            throw GraftError(.outOfMemory, "working memory for \(count) elements is more than any machine has")
        }
        let size = (bytes + 63) & ~63
        while current < blocks.count {
            if used + size <= blocks[current].byteCount {
                defer { used += size }
                return (blocks[current].base + used).assumingMemoryBound(to: Element.self)
            }
            // A block that is too small here is passed over; rewinding finds it again.
            current += 1
            used = 0
        }
        // Few blocks, since what does not fit the rest of one is lost; what of a block is never
        // used costs nothing.
        let block = try Memory(byteCount: max(size, smallestBlock, byteCount / 2))
        blocks.append(block)
        held.withLock { $0.append(block) }
        current = blocks.count - 1
        used = size
        return block.base.assumingMemoryBound(to: Element.self)
    }

    package func matrix(rows: Int, columns: Int) throws(GraftError) -> Matrix {
        Matrix(try allocate(Float.self, count: rows * columns), rows: rows, columns: columns)
    }

    /// A matrix whose rows begin at cache lines, for any number of columns: long rows are written
    /// faster.
    package func alignedMatrix(rows: Int, columns: Int) throws(GraftError) -> Matrix {
        let stride = (columns + 15) / 16 * 16
        return Matrix(try allocate(Float.self, count: rows * stride), rows: rows, columns: columns, stride: stride)
    }
}
