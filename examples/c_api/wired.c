// A device in C on a serial line, which here is what this program reads and writes. At the other end is one like it, or an agent
// of popsgd. It sees points of one half of a square only, and learns to tell all four quarters.
//
//     mkfifo there back; wired left 10 <>there >back & wired right 10 <>back >there      # for ten seconds
//     wired left 10 <>/dev/ttyUSB0 >&0                             # after stty -F /dev/ttyUSB0 115200 raw -echo
//
// and at that port's other end: popsgd agent --swarm wired --data points.csv:standardise=none --model softmax --serial /dev/ttyUSB1
#define _POSIX_C_SOURCE 200809L  // PORT: for a clock and a line; the rest is C99

#include <popsgd/c/discovery.h>
#include <popsgd/c/serial.h>
#include <popsgd/popsgd.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FEATURES = 2, CLASSES = 4, PARAMETERS = (FEATURES + 1) * CLASSES, FRAME = 256, STEP = 5, MEET = 100 };

static const uint32_t widths[] = {FEATURES, CLASSES};
static const popsgd_network quarters = {widths, 2, POPSGD_CROSS_ENTROPY};
static const popsgd_tensor layout[] = {{FEATURES * CLASSES, 0},
                                       {CLASSES, 0}};  // weights, biases: as agents of popsgd

// --- the device: all memory is its own

static float side;  // it sees x of this sign; 0: of any
static popsgd_random random_points;
static float point[FEATURES];
static uint32_t quarter;
static const popsgd_batch sample = {1, point, &quarter, NULL};

static float model[PARAMETERS];
static float scratch[4 * CLASSES + PARAMETERS];
static uint64_t agent_memory[512];
static popsgd_agent* agent;

static uint64_t link_memory[POPSGD_SERIAL_WORDS(FRAME, 2)];
static popsgd_serial* line;
static uint64_t frame[FRAME / sizeof(uint64_t)];
static size_t waiting;  // bytes of the frame that the line had no room for

static const popsgd_batch* next_point(void* context) {
  (void)context;
  for (int k = 0; k < FEATURES; ++k) point[k] = 2 * popsgd_random_uniform(&random_points) - 1;
  if (side * point[0] < 0) point[0] = -point[0];
  quarter = (point[0] > 0 ? 1U : 0U) + (point[1] > 0 ? 2U : 0U);
  return &sample;
}

// --- what a port brings

static popsgd_time milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (popsgd_time)time.tv_sec * 1000U + (popsgd_time)(time.tv_nsec / 1000000);
}

static popsgd_status random_bytes(void* context, void* into, size_t length) {
  FILE* source = fopen(context, "rb");
  const size_t count = source == NULL ? 0 : fread(into, 1, length, source);
  if (source != NULL) fclose(source);
  return count == length ? POPSGD_OK : POPSGD_NO_ENTROPY;
}

static size_t write_line(void* context, const void* bytes, size_t count) {
  const ssize_t taken = write(STDOUT_FILENO, bytes, count);
  (void)context;
  return taken < 0 ? 0 : (size_t)taken;
}

static void read_line(void) {
  unsigned char bytes[256];
  struct pollfd in = {STDIN_FILENO, POLLIN, 0};
  if (poll(&in, 1, 1) <= 0) return;
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count > 0) popsgd_serial_feed(line, bytes, (size_t)count);
}

// --- the agent and its link

static void received(void* context, popsgd_serial* link, const void* bytes, size_t size) {
  (void)context, (void)link;
  popsgd_agent_receive(agent, 0, bytes, size, milliseconds());  // what is no frame of its swarm is dropped
}

static popsgd_status start(void) {
  static char source[] = "/dev/urandom";
  const popsgd_entropy entropy = {random_bytes, source};
  const popsgd_serial_port port = {write_line, NULL};
  const popsgd_serial_user user = {received, NULL, NULL, NULL};
  popsgd_learner learner = {0};
  popsgd_agent_config config;
  popsgd_status status;

  popsgd_agent_config_init(&config, sizeof config);
  config.fingerprint = popsgd_swarm_tag("wired\nsoftmax 2 4 12");  // who has another one is not met
  config.schedule.eta = 0.05F;
  config.mean_wait = MEET;
  config.largest_frame = FRAME;
  config.peers = 1;
  config.guarding.gate = false;  // with one partner there are no others to tell how far is too far
  if ((status = popsgd_draw_seed(&entropy, &config.seed)) != POPSGD_OK) return status;
  popsgd_random_init(&random_points, config.seed, 0);

  learner.model = model;
  learner.layout = layout;
  learner.tensors = 2;
  learner.gradient = popsgd_network_gradient(&quarters, 1);
  learner.source.function = next_point;
  learner.scratch = scratch;
  learner.scratch_count = sizeof scratch / sizeof scratch[0];
  status =
      popsgd_agent_init_float(&agent, &config, &learner, agent_memory, sizeof agent_memory, milliseconds());
  if (status == POPSGD_OK) status = popsgd_serial_init(&line, FRAME, &port, link_memory, sizeof link_memory);
  if (status == POPSGD_OK) status = popsgd_serial_open(line, &user);
  if (status == POPSGD_OK) status = popsgd_agent_add_peer(agent, 0, FRAME, false);
  return status;
}

// All that the agent has to say, as far as the line has room.
static void say(void) {
  popsgd_outgoing out;
  if (popsgd_serial_wants_pump(line)) popsgd_serial_pump(line);
  do {
    if (waiting > 0 && popsgd_serial_send(line, frame, waiting) == POPSGD_NO_ROOM) return;
    popsgd_agent_send(agent, frame, sizeof frame, milliseconds(), &out);
    waiting = out.size;
  } while (waiting > 0);
}

static void live(popsgd_time duration) {
  const popsgd_time begin = milliseconds();
  popsgd_time steps = 0;
  for (popsgd_time since = 0; since < duration; since = milliseconds() - begin) {
    for (; steps * STEP <= since; ++steps) popsgd_agent_step(agent, NULL);
    say();
    read_line();
  }
}

// Of 1000 points of the whole square, those whose quarter it tells.
static unsigned told(void) {
  unsigned right = 0;
  side = 0;
  for (int k = 0; k < 1000; ++k) {
    popsgd_evaluation found = {0};
    popsgd_network_evaluate(&quarters, model, next_point(NULL), scratch, sizeof scratch / sizeof scratch[0],
                            &found);
    right += (unsigned)found.correct;
  }
  return right;
}

int main(int count, char** arguments) {
  popsgd_metrics metrics;
  popsgd_status status;
  if (count != 3) {
    fprintf(stderr, "wired left|right SECONDS\n");
    return 2;
  }
  side = strcmp(arguments[1], "left") == 0 ? -1.0F : 1.0F;
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  if ((status = start()) != POPSGD_OK) {
    fprintf(stderr, "wired: %s\n", popsgd_text(status));
    return 1;
  }
  live((popsgd_time)strtoul(arguments[2], NULL, 10) * 1000U);
  popsgd_agent_metrics(agent, &metrics, sizeof metrics);
  const unsigned right = told();
  fprintf(stderr, "%s: %u exchanges, tells the quarter of %u points of 1000\n", arguments[1],
          (unsigned)metrics.completed, right);
  return metrics.completed >= 10 && right >= 700 ? 0 : 1;  // alone it tells half of them
}
