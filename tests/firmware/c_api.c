// A firmware written in C: two devices, each of which sees two of four classes only, learn in integers and meet along a serial line
// that is memory, until both know all four. A bad line and one that is closed do them no harm.
#include "c_check.h"

#include <popsgd/c/discovery.h>
#include <popsgd/c/serial.h>
#include <popsgd/popsgd.h>

#include <string.h>

enum {
  FEATURES = 8,
  CLASSES = 4,
  PARAMETERS = (FEATURES + 1) * CLASSES,
  FRAME = 256,
  LINE = 320,  // bytes that wait to be read
  FRACTION = 8
};

static const uint32_t widths[] = {FEATURES, CLASSES};
static const popsgd_layer_format formats[] = {{12, 12, 0}};
static const popsgd_fixed_network network = {widths, 2, formats, POPSGD_CROSS_ENTROPY};

// --- what it learns: of class c the features 2c and 2c + 1 are lit, among noise

typedef struct sensor {
  popsgd_random random;
  uint32_t first, classes;  // those it sees
  int16_t features[FEATURES];
  uint32_t label;
  popsgd_fixed_batch batch;
} sensor;

static void sensor_init(sensor* self, uint32_t first, uint32_t classes, uint32_t stream) {
  memset(self, 0, sizeof *self);
  popsgd_random_init(&self->random, 1, stream);
  self->first = first;
  self->classes = classes;
  self->batch.rows = 1;
  self->batch.features = self->features;
  self->batch.labels = &self->label;
  self->batch.fraction = FRACTION;
}

static const popsgd_fixed_batch* sensor_next(void* context) {
  sensor* self = context;
  self->label = self->first + popsgd_random_below(&self->random, self->classes);
  for (uint32_t k = 0; k < FEATURES; ++k) {
    const int lit = k / 2 == self->label ? 1 << FRACTION : 0;
    self->features[k] = (int16_t)(lit + (int)popsgd_random_below(&self->random, 129) - 64);
  }
  return &self->batch;
}

// --- a device, with all of its memory

typedef struct device {
  sensor sees;
  int16_t model[PARAMETERS];
  popsgd_tensor layout[2];
  int32_t scratch[CLASSES + 2 * ((CLASSES + 1) / 2)];
  uint64_t agent_memory[300];
  popsgd_agent* agent;
  uint64_t link_memory[POPSGD_SERIAL_WORDS(FRAME, 1)];
  popsgd_serial* link;
  uint64_t frame[FRAME / 8];
  size_t waiting;  // bytes of the frame that the link had no room for
  unsigned char line[LINE];
  size_t written;
  unsigned closings;
} device;

static device devices[2];
static popsgd_time now;

// PORT: the UART's buffer; here the line, up to what it holds.
static size_t line_write(void* context, const void* bytes, size_t count) {
  device* self = context;
  const size_t room = LINE - self->written;
  const size_t taken = count < room ? count : room;
  memcpy(self->line + self->written, bytes, taken);
  self->written += taken;
  return taken;
}

static void received(void* context, popsgd_serial* link, const void* frame, size_t size) {
  device* self = context;
  (void)link;
  check(popsgd_agent_receive(self->agent, 0, frame, size, now) == POPSGD_OK, "an agent reads every frame");
}

static void closed(void* context, popsgd_serial* link) {
  device* self = context;
  (void)link;
  ++self->closings;
  self->waiting = 0;
  popsgd_agent_lost_peer(self->agent, 0, now);
}

// All that the agent has to say, as far as the link has room.
static void say(device* self) {
  for (;;) {
    if (self->waiting > 0 && popsgd_serial_send(self->link, self->frame, self->waiting) == POPSGD_NO_ROOM)
      return;
    popsgd_outgoing out;
    popsgd_agent_send(self->agent, self->frame, sizeof self->frame, now, &out);
    self->waiting = out.size;
    if (out.size == 0) return;
  }
}

static void turn(device* self) {
  say(self);
  if (popsgd_serial_wants_pump(self->link)) popsgd_serial_pump(self->link);
}

static popsgd_status join(device* self) {
  const popsgd_serial_user user = {received, NULL, closed, self};
  const popsgd_status status = popsgd_serial_open(self->link, &user);
  return status == POPSGD_OK ? popsgd_agent_add_peer(self->agent, 0, FRAME, false) : status;
}

static void configure(popsgd_agent_config* config, uint32_t which) {
  popsgd_agent_config_init(config, sizeof *config);
  config->seed = which + 1;  // PORT: popsgd_draw_seed()
  config->fingerprint = popsgd_swarm_tag("c\nsoftmax 8 4 36");
  config->mean_wait = 200;
  config->largest_frame = FRAME;
  config->window = 1;
  config->peers = 1;
  config->finished = 2;
  config->quantise.width = POPSGD_AUTOMATIC;
  config->guarding.gate = false;
}

static popsgd_status start(device* self, uint32_t which) {
  popsgd_agent_config config;
  popsgd_int16_learner learner;
  const popsgd_serial_port port = {line_write, self};
  popsgd_status status;
  configure(&config, which);
  sensor_init(&self->sees, 2 * which, 2, which);
  memset(&learner, 0, sizeof learner);
  popsgd_fixed_schedule_init(&learner.schedule);
  popsgd_fixed_network_layout(&network, self->layout, 2);
  learner.model = self->model;
  learner.layout = self->layout;
  learner.tensors = 2;
  learner.gradient = popsgd_int16_network_gradient(&network, 1);
  learner.source.function = sensor_next;
  learner.source.context = &self->sees;
  learner.scratch = self->scratch;
  learner.scratch_count = sizeof self->scratch / sizeof self->scratch[0];
  status = popsgd_agent_init_int16(&self->agent, &config, &learner, self->agent_memory,
                                   sizeof self->agent_memory, now);
  if (status != POPSGD_OK) return status;
  status = popsgd_serial_init(&self->link, FRAME, &port, self->link_memory, sizeof self->link_memory);
  return status == POPSGD_OK ? join(self) : status;
}

// --- what happens

// What one has written the other reads; of `spoil` bytes one is changed.
static void deliver(device* from, device* to, uint32_t spoil) {
  static unsigned char moved[LINE];
  static uint32_t bytes;
  const size_t count = from->written;
  memcpy(moved, from->line, count);
  from->written = 0;
  for (size_t k = 0; k < count; ++k)
    if (spoil > 0 && ++bytes % spoil == 0) moved[k] ^= 0x55;
  popsgd_serial_feed(to->link, moved, count);
}

static void run(uint32_t milliseconds, uint32_t spoil) {
  for (const popsgd_time end = now + milliseconds; now != end; ++now) {
    for (int which = 0; which < 2; ++which) {
      if (now % 20 == 0) popsgd_agent_step(devices[which].agent, NULL);
      turn(&devices[which]);
      deliver(&devices[which], &devices[1 - which], spoil);
    }
  }
}

// Of 100 samples of all classes, those that it recognises.
static unsigned recognised(const device* self) {
  static int32_t scratch[CLASSES + 2 * ((CLASSES + 1) / 2)];
  static sensor all;
  unsigned right = 0;
  sensor_init(&all, 0, CLASSES, 9);
  for (int k = 0; k < 100; ++k) {
    popsgd_fixed_evaluation found = {0, 0, 0};
    popsgd_int16_network_evaluate(&network, self->model, sensor_next(&all), scratch,
                                  sizeof scratch / sizeof scratch[0], &found);
    right += (unsigned)found.correct;
  }
  return right;
}

static uint64_t completed(const device* self) {
  static popsgd_metrics metrics;
  popsgd_agent_metrics(self->agent, &metrics, sizeof metrics);
  return metrics.completed;
}

static popsgd_serial_counts counted(const device* self) {
  popsgd_serial_counts counts = {0, 0, 0};
  popsgd_serial_counted(self->link, &counts);
  return counts;
}

static void two_devices_learn_together(void) {
  for (uint32_t which = 0; which < 2; ++which)
    check(start(&devices[which], which) == POPSGD_OK, "a device starts");
  run(20000, 0);
  for (int which = 0; which < 2; ++which) {
    check(completed(&devices[which]) >= 20, "in twenty seconds they meet twenty times at least");
    check(counted(&devices[which]).damaged == 0, "nothing is damaged");
    check(recognised(&devices[which]) >= 90, "both recognise 90 of 100, of all classes");
  }
}

static void a_bad_line_costs_frames_and_no_more(void) {
  const uint64_t before = completed(&devices[0]);
  run(20000, 997);
  check(counted(&devices[0]).damaged + counted(&devices[1]).damaged > 0, "the line is bad");
  check(completed(&devices[0]) >= before + 10, "they go on along a bad line");
  check(recognised(&devices[0]) >= 90 && recognised(&devices[1]) >= 90, "and recognise what they did");
}

static void a_line_that_is_closed_may_be_opened_again(void) {
  uint64_t before;
  for (int which = 0; which < 2; ++which) popsgd_serial_close(devices[which].link);
  run(1000, 0);
  before = completed(&devices[0]);
  run(1000, 0);
  check(devices[0].closings == 1 && devices[1].closings == 1, "who is closed is told once");
  check(completed(&devices[0]) == before, "nobody is met along a line that is closed");
  for (int which = 0; which < 2; ++which) check(join(&devices[which]) == POPSGD_OK, "it is opened again");
  run(10000, 0);
  check(completed(&devices[0]) >= before + 5, "and they meet again");
}

int main(void) {
  check(popsgd_swarm_tag("digits\nsoftmax 64 10 650") == 0xE50C3388E2FE8557U,
        "the swarm of the firmware in C++ has its number");
  two_devices_learn_together();
  a_bad_line_costs_frames_and_no_more();
  a_line_that_is_closed_may_be_opened_again();
  return checked();
}
