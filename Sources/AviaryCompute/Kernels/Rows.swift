import AviaryThreads

/// The numbers along neighbouring dimensions of a value as rows in memory: one behind the other,
/// or interleaved where further dimensions lie inside.
struct Rows: Hashable {
  /// How many bundles of interleaved rows there are.
  let bundles: Int
  /// How many numbers a row has.
  let width: Int
  /// How many rows lie interleaved, and so how far apart a row's numbers are.
  let step: Int

  /// As many interleaved rows go to a kernel at once.
  static let columns = 256

  /// - Parameter dimensions: those that rows run along; of a value in nhwc the channels.
  init(_ value: IRGraph.Value, _ dimensions: Range<Int>) {
    let shape = value.shape
    width = shape[dimensions].reduce(1, *)
    let count = shape.reduce(1, *) / max(width, 1)
    step =
      value.memoryFormat == .nhwc ? 1 : shape[dimensions.upperBound...].reduce(1, *)
    bundles = step > 0 ? count / step : 0
  }

  var count: Int { bundles * step }

  /// Calls `body` for rows that begin side by side: with the place of the first of their numbers,
  /// and how many there are.
  func split(_ workers: ThreadPool, cost: Int = 1, _ body: (Int, Int) -> Void) {
    if step == 1 {
      workers.split(bundles, cost: cost * width) { body($0.lowerBound * width, $0.count) }
      return
    }
    workers.split(items, cost: cost * width * min(step, Self.columns)) { range in
      for item in range { self.body(of: item, body) }
    }
  }

  /// How many parts the work has at most.
  var items: Int { step == 1 ? bundles : bundles * blocks }

  private var blocks: Int { (step + Self.columns - 1) / Self.columns }

  /// Calls `body` for the rows of one of the parts.
  func body(of item: Int, _ body: (Int, Int) -> Void) {
    if step == 1 { return body(item * width, 1) }
    let (bundle, block) = item.quotientAndRemainder(dividingBy: blocks)
    let first = block * Self.columns
    body(bundle * width * step + first, min(Self.columns, step - first))
  }
}
