import AviaryGraph
import CKernels
import Synchronization
import AviaryThreads

/// A convolution by Winograd's algorithm or the fast Fourier transform, block by block: tiles of the input are transformed,
/// multiplied with the weights, and turned into tiles of the result.
struct TransformConvolution {
  let shape: TransformShape
  let product: BatchedProduct
  /// Scratch memory of the product, for one thread.
  let scratchBytes: Int
  /// The steps from pixel to pixel.
  let input: aviary_image
  let output: aviary_image
  /// Numbers from image to image.
  let inputCount: Int
  let outputCount: Int
  let activation: CheapActivation
  let finalActivation: CheapActivation

  /// Where everything lies.
  @safe struct Operands {
    var input: UnsafePointer<Float>
    var weights: UnsafeMutablePointer<Float>
    var output: UnsafeMutablePointer<Float>
    /// For every worker `bytesPerWorker`.
    var working: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
    /// A slope for each filter.
    var slopes: UnsafePointer<Float>?
    /// What is added, laid out as the output, which it may be.
    var other: UnsafePointer<Float>?
  }

  /// The bytes of working memory that each thread wants.
  var bytesPerWorker: Int {
    TransformConvolution.bytesPerWorker(shape, scratchBytes: scratchBytes)
  }

  static func bytesPerWorker(_ shape: TransformShape, scratchBytes: Int) -> Int {
    shape.sourceBytes + shape.destinationBytes + scratchBytes.roundedUp(to: 64)
  }

  /// - Throws: `ComputeError.library`.
  func run(_ operands: Operands, _ workers: ThreadPool) throws(ComputeError) {
    let failure = Mutex<ComputeError?>(nil)
    let kind = shape.block * (shape.depth + shape.width) * shape.format.products
    workers.splitNumbered(shape.blocks, cost: kind) { blocks, worker in
      for block in blocks {
        let first = block * shape.block
        let tiles = first..<min(first + shape.block, shape.count)
        do throws(ComputeError) {
          try run(tiles, worker, operands)
        } catch {
          failure.withLock { $0 = error }
          return
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// One block.
  private func run(
    _ tiles: Range<Int>, _ worker: Int, _ operands: Operands
  ) throws(ComputeError) {
    let float = MemoryLayout<Float>.stride
    let source = unsafe operands.working + worker * bytesPerWorker / float
    let destination = unsafe source + shape.sourceBytes / float
    let scratch = unsafe destination + shape.destinationBytes / float
    let side = shape.format.side, step = shape.format.step
    var (image, result) = (input, output)
    forEachRun(tiles) { run in
      let from = unsafe operands.input + run.image * inputCount
      let top = run.row * step.height - shape.reach.height
      let left = run.column * step.width - shape.reach.width
      let to = unsafe source + run.first * shape.depth
      if let winograd = shape.format.winograd {
        unsafe aviary_winograd_input(
          winograd, &image, from, top, left, run.count, to, shape.block * shape.depth, shape.depth)
      } else {
        unsafe aviary_fft_input(
          &image, from, step.width, top, left, run.count, to, shape.block * shape.depth, shape.depth
        )
      }
    }
    unsafe try product.run(
      worker, source: source, weights: operands.weights, destination: destination,
      scratch: scratch)
    forEachRun(tiles) { run in
      var epilogue = unsafe aviary_epilogue(
        bias: operands.bias, activation: activation.forC(slopes: operands.slopes),
        other: operands.other.map { unsafe $0 + run.image * outputCount },
        final: finalActivation.forC())
      let from = unsafe destination + run.first * shape.width
      let to = unsafe operands.output + run.image * outputCount
      let top = run.row * side.height - shape.lead.height
      let left = run.column * side.width - shape.lead.width
      if let winograd = shape.format.winograd {
        unsafe aviary_winograd_output(
          winograd, from, shape.block * shape.width, shape.width, run.count, &epilogue, &result, to,
          top, left)
      } else {
        unsafe aviary_fft_output(
          from, shape.block * shape.width, shape.width, run.count, side.height, side.width,
          &epilogue, &result, to, top, left)
      }
    }
  }

  /// Neighbouring tiles of one row of tiles.
  private struct Run {
    var image: Int
    var row: Int
    var column: Int
    var count: Int
    /// The first tile's place in its block.
    var first: Int
  }

  /// Calls `body` for the parts of a block that lie in one row of tiles.
  private func forEachRun(_ tiles: Range<Int>, _ body: (Run) -> Void) {
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let (line, column) = tile.quotientAndRemainder(dividingBy: shape.columns)
      let count = min(shape.columns - column, tiles.upperBound - tile)
      body(
        Run(
          image: line / shape.rows, row: line % shape.rows, column: column, count: count,
          first: tile - tiles.lowerBound))
      tile += count
    }
  }
}

extension ConvolutionTransform {
  /// The form of Winograd's algorithm; nil for others.
  var winograd: aviary_winograd? {
    switch self {
    case .plain: AVIARY_PLAIN
    case .halving: AVIARY_HALVING
    case .doubling: AVIARY_DOUBLING
    case .doublingOdd: AVIARY_DOUBLING_ODD
    case .fft: nil
    }
  }
}

extension aviary_image {
  /// The pixels of a value of this shape in this memory format.
  init(_ shape: [Int], _ memoryFormat: MemoryFormat) {
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    let block = MemoryFormat.block
    let steps =
      switch memoryFormat {
      case .nchw: (row: width, pixel: 1, group: block * height * width, channel: height * width)
      case .nhwc: (row: width * channels, pixel: channels, group: block, channel: 1)
      case .nChw16c: (row: width * block, pixel: block, group: block * height * width, channel: 1)
      }
    self.init(
      height: height, width: width, channels: channels, row: steps.row, pixel: steps.pixel,
      group: steps.group, channel: steps.channel)
  }
}
