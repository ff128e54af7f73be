// SPDX-License-Identifier: Apache-2.0
// The C++ library's ways to wait and to be many; it has futexes of its own behind some of them.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <iostream>
#include <latch>
#include <mutex>
#include <random>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

static const auto began = Clock::now();

static void at(Clock::duration expected) {
    auto passed = Clock::now() - began;
    if (passed < expected || passed > expected + 50ms) {
        std::cout << "at " << (passed - expected) / 1ms << " ms after what was expected" << std::endl;
        std::abort();
    }
}

struct Slow {
    Slow() {
        std::this_thread::sleep_for(1s);
    }
};

static void conditions() {
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    std::thread setter([&] {
        std::this_thread::sleep_for(3s);
        std::lock_guard lock(mutex);
        ready = true;
        changed.notify_all();
    });
    std::unique_lock lock(mutex);
    bool early = changed.wait_for(lock, 1s, [&] { return ready; });
    at(1s);
    changed.wait(lock, [&] { return ready; });
    at(3s);
    lock.unlock();
    setter.join();
    auto future = std::async(std::launch::async, [] { return std::this_thread::sleep_for(2s), 7; });
    if (early || future.wait_for(500ms) != std::future_status::timeout || future.get() != 7) {
        std::abort();
    }
    at(5s);
}

static void initialisation_and_atomics() {
    static std::once_flag once;
    std::vector<std::thread> threads;
    std::atomic<int> count{0};
    for (int i = 0; i < 8; i++) {
        threads.emplace_back([&, i] {
            static Slow slow; // the seven others wait for its constructor
            std::call_once(once, [] { std::this_thread::sleep_for(1s); });
            std::this_thread::sleep_for(i * 10ms);
            count++;
            count.notify_all();
        });
    }
    for (int seen = 0; (seen = count.load()) < 8;) {
        count.wait(seen);
    }
    for (auto &thread : threads) {
        thread.join();
    }
    at(7s + 70ms);
}

static void meetings() {
    std::counting_semaphore<4> semaphore(0);
    std::latch latch(2);
    std::barrier barrier(2);
    std::jthread other([&](std::stop_token stop) {
        std::this_thread::sleep_for(1s);
        semaphore.release();
        latch.count_down();
        barrier.arrive_and_wait();
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(100ms);
        }
    });
    if (semaphore.try_acquire_for(200ms)) {
        std::abort();
    }
    semaphore.acquire();
    latch.arrive_and_wait();
    barrier.arrive_and_wait();
    at(8s + 70ms);
    other.request_stop();
}

static void timed_locks() {
    std::shared_timed_mutex shared;
    std::timed_mutex timed;
    shared.lock();
    timed.lock();
    std::thread other([&] {
        if (shared.try_lock_shared_for(1s) || timed.try_lock_for(1s)) {
            std::abort();
        }
        shared.lock_shared();
        shared.unlock_shared();
    });
    std::this_thread::sleep_for(3s);
    shared.unlock();
    other.join();
    at(11s + 70ms);
}

int main() {
    conditions();
    initialisation_and_atomics();
    meetings();
    timed_locks();
    addrinfo *list = nullptr;
    if (getaddrinfo("bs.example", "5683", nullptr, &list) != 0) {
        return 1;
    }
    char answer[100];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    send(fd, "\x40\x01\x12\x34\xb5hello", 10, 0);
    ssize_t length = recv(fd, answer, sizeof answer, 0);
    close(fd);
    std::cout << std::string(answer + 6, length > 6 ? length - 6 : 0) << std::endl;
    std::cout << "random " << std::random_device()() << std::endl;
}
